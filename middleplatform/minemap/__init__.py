"""The whole mine on one map (全矿一张图): what of it a caller may see, as the console draws it."""
