"""A shelf of compiled operators in a folder or an object store that all machines reach: `<site.storage>/compiled`."""

from jack_ray.stores import StoredFolder


class FolderShelf(StoredFolder):
    """`<uri>/compiled/<identity>/<archive>`. Raises OSError where the store does not answer."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri, "compiled")
