"""Commands of the subscription business."""
