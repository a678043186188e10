"""What a plugin and the host talk about: units with files, entries of a publication, attachments, results.

Thin, typed covers over the messages of the contract, each of which is its cover's `wire`.
"""

from wharf.model.attachment import Attachment, Instance
from wharf.model.done import Done
from wharf.model.file import File
from wharf.model.job import Contribution, Job
from wharf.model.listed import ListedItem
from wharf.model.published import PublishedFile
from wharf.model.reference import Keep, UnitRef
from wharf.model.unit import Unit

__all__ = [
    "Attachment",
    "Contribution",
    "Done",
    "File",
    "Instance",
    "Job",
    "Keep",
    "ListedItem",
    "PublishedFile",
    "Unit",
    "UnitRef",
]
