"""The study's table, measured again: the networks that it compared, trained under equal conditions.

    cells.cells(session)        the trainings that params.yaml lists under `study`
    cells.train(...)            trains them, two side by side; what was stopped goes on from its last epoch
    results.of(...), save, load reference/study/cells/<cell>.json, which the report shows

The images are the study's: 50,000, of which 10,000 are held back and scored after each epoch. No hidden set
is read.
"""
