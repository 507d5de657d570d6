"""Takes one account's id out of what Pinot has, by law: `./dev erase` and how it is done."""
