"""Real objects that tests share: repositories, scripted agents, servers, clock."""
