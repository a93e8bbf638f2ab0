"""GitHub Actions on this machine: workflows of a repository, their runs on declared runners by `act`, and who a job is."""
