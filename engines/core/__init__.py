"""What everything else stands on: errors, shapes, knobs, pictures, seeds, memory and weights."""
