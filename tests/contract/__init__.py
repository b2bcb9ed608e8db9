"""What holds for every engine and every knob, by catalogue."""
