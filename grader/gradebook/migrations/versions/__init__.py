"""One script for each version of the tables; a script that was released is never changed."""
