"""Networks of sparse operators in 8-bit integers, without training them again."""
