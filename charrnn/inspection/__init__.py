"""What the units of a network track, and the page that shows it."""
from charrnn.inspection.webpage import export_page as export_page
