"""Task 2: an AlexNet for 32x32 images."""
