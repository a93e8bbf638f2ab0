"""Stories about the house: documents, packaging, make, the shape of the code."""
