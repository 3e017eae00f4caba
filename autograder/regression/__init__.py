"""Every source notebook runs, and the outputs it stores are those it gives today (nbval)."""
