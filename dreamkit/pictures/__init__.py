"""Pictures in and out: the codec, sample photos, synthetic scenes, sizes, videos and optical flow."""
