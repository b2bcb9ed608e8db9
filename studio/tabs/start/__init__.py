"""The beginning of the page: a portrait that is inverted already, three sliders, and ways to go on."""
