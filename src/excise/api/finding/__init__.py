"""What is likely in a folder: models, services, data, the machine's price. Files are read, none is run."""
