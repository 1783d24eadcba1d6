"""Task 3: residual networks for 32x32 images."""
