"""The mine's electricity: a tree of feeders and transformers, its switchgear, its meters."""
