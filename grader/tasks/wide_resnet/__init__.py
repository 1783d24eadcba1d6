"""Task 4: a pre-activation wide residual network for 32x32 images."""
