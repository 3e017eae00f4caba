"""The site: what the documents, the released notebooks and the commands' help say, as HTML.

    make docs        # writes build/site; open build/site/index.html, no server needed

``assemble`` lays pages out in a folder as they lie in the repository, so that links between them
hold on the site as they do on GitHub; Sphinx and MyST turn the folder into HTML. Nothing is loaded
from another host. Only ``release/`` is read of the notebooks: no solution, no hidden check.
"""
