"""What is known of a trained model: its card, its errors, its price ranges, its promotions."""
