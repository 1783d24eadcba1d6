"""The grader's errors.

lab.errors.KitError
├── UsageError          the command line asks for something that cannot be (exit 2)
├── SubmissionError     a submission that cannot be taken in at all: not a zip, too large, no task file in it
├── ManifestError       assignment/tasks.toml or params.yaml is wrong: the course team's to fix
├── EvidenceRefused     what a sandbox left behind breaks a rule: counts as the submission's doing
├── BlueprintRefused    a network that is not on the allowlist or over budget: a failed check
├── MissingTensorFlow   it is needed and not installed yet: exit 3
├── GradebookError      the gradebook is in use, damaged, or cannot be read or written: exit 1
└── GraderFault         the machine failed: never a zero, exit 1
    ├── SandboxFault    a sandbox could not be started or stopped
    ├── TrainerFault    a training crashed, ran out of memory or was killed
    └── MessageRefused  what another machine of a cluster sent breaks a rule
"""

from lab.errors import KitError


class UsageError(KitError):
    """The command line asks for something that cannot be."""


class SubmissionError(KitError):
    """A submission cannot be taken in at all."""


class ManifestError(KitError):
    """The manifest, params.yaml or what was made from them is wrong."""


class EvidenceRefused(KitError):
    """What a sandbox left behind breaks a rule of size, kind or shape."""


class BlueprintRefused(KitError):
    """A network is not on the allowlist, is malformed, or is over budget."""


class MissingTensorFlow(KitError):
    """It is needed here and not installed: students' commands begin without it."""


class GradebookError(KitError):
    """The gradebook is in use, damaged, or cannot be read or written."""


class GraderFault(KitError):
    """The machine failed, not the submission."""


class SandboxFault(GraderFault):
    """A sandbox could not be started or stopped."""


class TrainerFault(GraderFault):
    """A training crashed, ran out of memory or was killed."""


class MessageRefused(GraderFault):
    """What another machine of a cluster sent breaks a rule of size, kind or content."""
