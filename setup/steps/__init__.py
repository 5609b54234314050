"""What the commands of setup/ are made of: one idea a file, standard library only."""
