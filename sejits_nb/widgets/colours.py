"""The colours of figures and bars: of Okabe and Ito's palette those that read well on white."""

INK, FAINT, GRID = "#222222", "#666666", "#dddddd"
BEST, OTHER = "#d55e00", "#0072b2"
