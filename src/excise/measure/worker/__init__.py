"""The program that runs in the environment under measurement; nothing here imports the rest of excise."""
