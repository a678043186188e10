"""The interface that Image Factory's plugins are written against: names, attributes and meanings; none of its code.

`provide` puts everything where plugins look for it, as modules of `imgfac`. Nothing here knows wharf: what images tell
goes to the `NotificationCenter`, and what is reserved goes through `ReservationManager.way`, both of which the process
of the delegate ties to its host. oz, libguestfs and their kin are not needed, unless a plugin itself imports them.
"""

from wharf.compat.imagefactory.imgfac._configuration import ApplicationConfiguration
from wharf.compat.imagefactory.imgfac._errors import ImageFactoryException
from wharf.compat.imagefactory.imgfac._image import (
    BaseImage,
    PersistentImage,
    ProviderImage,
    TargetImage,
)
from wharf.compat.imagefactory.imgfac._manager import PersistentImageManager
from wharf.compat.imagefactory.imgfac._notification import Notification, NotificationCenter
from wharf.compat.imagefactory.imgfac._provide import provide
from wharf.compat.imagefactory.imgfac._reservation import ReservationManager
from wharf.compat.imagefactory.imgfac._template import Template

__all__ = [
    "ApplicationConfiguration",
    "BaseImage",
    "ImageFactoryException",
    "Notification",
    "NotificationCenter",
    "PersistentImage",
    "PersistentImageManager",
    "ProviderImage",
    "ReservationManager",
    "TargetImage",
    "Template",
    "provide",
]
