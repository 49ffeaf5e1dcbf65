"""Property tests say what is true, not how fast a busy machine is."""

from hypothesis import settings

settings.register_profile("sevenones", deadline=None)
settings.load_profile("sevenones")
