"""A whole federation in containers: images, networks, one programme asked, the evidence verified."""
