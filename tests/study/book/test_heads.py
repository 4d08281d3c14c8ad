from types import SimpleNamespace

from docutils import nodes

from lggkit import __version__
from lggkit.study.book import heads


def page(*texts):
    quoted = nodes.block_quote("", nodes.paragraph(text="in a box"))
    paragraphs = [nodes.paragraph(text=text) for text in texts]
    return nodes.section("", nodes.title(text="Title"), quoted, *paragraphs)


def test_a_page_is_described_by_its_first_paragraph():
    assert heads.description(page("What it says.", "More.")) == "What it says."
    assert len(heads.description(page("word " * 100))) <= heads.LONGEST
    assert heads.description(page()) == ""


def test_scripts_that_nothing_calls_are_left_out_and_the_description_is_escaped():
    def script(filename, **attributes):
        return SimpleNamespace(filename=filename, attributes=attributes)

    tables = script("tables.js")
    scripts = [script(None, body='const THEBE_JS_URL = "x"'), script("sphinx-thebe.js"), tables]
    context = {"script_files": scripts, "css_files": ["book.css", "sphinx-thebe.css"], "metatags": ""}
    heads.describe(None, "page", "page.html", context, page('a "b" < c'))
    assert context["script_files"] == [tables] and context["css_files"] == ["book.css"]
    assert 'content="a &quot;b&quot; &lt; c"' in context["metatags"]


def test_the_foot_has_the_version():
    connected = {}
    heads.connect(SimpleNamespace(connect=connected.__setitem__))
    config = SimpleNamespace(html_theme_options={})
    connected["config-inited"](None, config)
    assert __version__ in config.html_theme_options["extra_footer"] and config.version == __version__
