"""Brings students' repositories into a folder that `grade` reads as "one repository a student".

listing.py   which repositories, from a list or a folder
git.py       what is fetched of one, and read out of it: no checkout, so that nothing of it is ever executed
collect.py   all of them, side by side; goes on where it was stopped
"""
