"""The command line: what there is to run, and what each command may be asked.

    app.py          `python -m grader`: the commands in three groups
    student.py      check, hint, inspect, train, runs, submit
    instructor.py   grade, marking, doctor, image
    gradebook.py    show, explain, override and others: the gradebook of a class
    export.py       canvas, moodle, gradescope, csv, junit
    author.py       stubs, prove, reference, report, estimates
    stages.py       `python -m grader.reference STAGE`: the stages of dvc.yaml
    options.py      the options that commands share, and their types
    base.py         how a command shows its help, its errors and its end

A command imports what it runs when it is called, so that `--help` does not wait for NumPy and Keras.

Exit codes: 0 done, whatever the marks; 1 it could not be done; 2 wrong usage; 3 TensorFlow has to
be installed first; 130 after Ctrl-C.
"""
