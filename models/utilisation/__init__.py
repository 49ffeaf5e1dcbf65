"""Utilisation (智能化设备使用率): of the time in which equipment did its productive work, the part in which nobody had
to work it by hand. Pure arithmetic over samples and rules; see docs/utilisation.md for what each word means."""
