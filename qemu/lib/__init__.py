"""The machine under test: images, kernels, boots. Python's standard library and Debian packages only."""
