"""How a word came about: what each stage of a model made of a crop, and a page that shows it."""
