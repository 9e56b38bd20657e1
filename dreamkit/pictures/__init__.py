"""Pictures in and out of files, sample photos, synthetic scenes, sizes, videos, optical flow."""
