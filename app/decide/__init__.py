"""Pure decisions: state and event in, new state and actions out."""
