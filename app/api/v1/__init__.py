"""The canonical API, in the words of the seeds `000` and `001`."""
