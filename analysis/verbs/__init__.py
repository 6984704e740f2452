"""One function per verb, a module per kind of question; importing one registers its verbs."""
