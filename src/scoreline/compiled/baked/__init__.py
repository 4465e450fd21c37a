"""A compiled pipeline that is kept in files: it answers in a process that never loads scikit-learn or pandas."""
