"""What tests print and leave, taken as evidence."""
