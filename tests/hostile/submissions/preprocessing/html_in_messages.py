"""Tries to bring script, HTML, Markdown and Rich's markup into feedback; gains nothing because messages are
text in every format, and markup in them is never interpreted.
"""

print("attack: marking up", flush=True)
MARKUP = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>&lt;[bold red]100/100[/bold red][link=http://evil]x[/link]"
    "![x](http://evil/x.png) `rm -rf` ]]> --> {{7*7}} ${7*7} <%= 7*7 %> %s %n {0}"
)


def split_indices(*args, **kwargs):
    raise ValueError(MARKUP)


def channel_statistics(images):
    return MARKUP


def standardise(images, mean, std):
    return type(MARKUP, (), {})()


def one_hot(labels, num_classes):
    raise type(MARKUP, (Exception,), {})("[/]")


def prepare(*args, **kwargs):
    return [MARKUP]
