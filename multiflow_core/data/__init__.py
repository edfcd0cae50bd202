"""Image-text data: the built-in Flatland world, folders of pictures, COCO files."""
