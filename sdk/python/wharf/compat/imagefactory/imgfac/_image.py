"""The three kinds of images, with the attributes that plugins read and set."""

from __future__ import annotations

import uuid
from typing import Any

from wharf.compat.imagefactory.imgfac._notification import Notification, NotificationCenter

STATUSES = (
    "NEW",
    "PENDING",
    "BUILDING",
    "COMPLETE",
    "FAILED",
    "DELETING",
    "DELETED",
    "DELETEFAILED",
)


class StatusDetail(dict[str, Any]):
    """`activity`: one line on what happens now; `error`: none, or text. A changed activity is told."""

    def __init__(self, image: PersistentImage, values: dict[str, Any]) -> None:
        super().__init__({"activity": None, "error": None, **values})
        self._image = image

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._image.notify("image.status", activity=value if key == "activity" else None)


class PersistentImage:
    """What all images have in common."""

    def __init__(self, image_id: str | None = None) -> None:
        self.identifier = str(image_id or uuid.uuid4())
        self.data: str | None = None
        """The path of the image's file."""
        self.template: Any = None
        self.icicle: Any = None
        """The manifest of packages, XML."""
        self.parameters: dict[str, Any] = {}
        self.properties: dict[str, Any] = {}
        self.persistent_manager: Any = None
        self._status = "NEW"
        self._percent_complete = 0
        self._status_detail = StatusDetail(self, {})

    @property
    def status(self) -> str:
        """Where its life is."""
        return self._status

    @status.setter
    def status(self, value: str) -> None:
        if value not in STATUSES:
            message = f"{value!r} is no status of an image; there are: {', '.join(STATUSES)}"
            raise KeyError(message)
        if value != self._status:
            old, self._status = self._status, value
            self.notify("image.status", old_status=old, new_status=value)

    @property
    def percent_complete(self) -> int:
        """0 to 100."""
        return self._percent_complete

    @percent_complete.setter
    def percent_complete(self, value: float) -> None:
        percent = max(0, min(100, int(value)))
        if percent != self._percent_complete:
            old, self._percent_complete = self._percent_complete, percent
            self.notify("image.percentage", old_percentage=old, new_percentage=percent)

    @property
    def status_detail(self) -> StatusDetail:
        """What happens now, and what went wrong."""
        return self._status_detail

    @status_detail.setter
    def status_detail(self, value: Any) -> None:
        values = dict(value) if isinstance(value, dict) else {"activity": value}
        self._status_detail = StatusDetail(self, values)
        self.notify("image.status", activity=self._status_detail["activity"])

    def update(
        self,
        percentage: float | None = None,
        status: str | None = None,
        detail: str | None = None,
        error: str | None = None,
    ) -> None:
        """Changes what is given."""
        if detail is not None:
            self._status_detail["activity"] = detail
        if error is not None:
            self._status_detail["error"] = error
        if percentage is not None:
            self.percent_complete = int(percentage)
        if status is not None:
            self.status = status

    def metadata(self) -> frozenset[str]:
        """The names of what is kept of it."""
        return frozenset(
            (
                "identifier",
                "data",
                "template",
                "icicle",
                "status_detail",
                "status",
                "percent_complete",
                "parameters",
                "properties",
            )
        )

    def notify(self, message: str, **info: Any) -> None:
        """Tells the notification centre."""
        NotificationCenter().post_notification(Notification(message, self, info))


class BaseImage(PersistentImage):
    """An installed system."""


class TargetImage(PersistentImage):
    """That system, made fit for a target."""

    def __init__(self, image_id: str | None = None) -> None:
        super().__init__(image_id)
        self.base_image_id: str | None = None
        self.target: str | None = None

    def metadata(self) -> frozenset[str]:
        """The names of what is kept of it."""
        return super().metadata() | {"base_image_id", "target"}


class ProviderImage(PersistentImage):
    """An image as it is at a provider. Its credentials are never kept."""

    def __init__(self, image_id: str | None = None) -> None:
        super().__init__(image_id)
        self.target_image_id: str | None = None
        self.provider: str | None = None
        self.credentials: str | None = None
        self.identifier_on_provider: str | None = None
        self.provider_account_identifier: str | None = None

    def metadata(self) -> frozenset[str]:
        """The names of what is kept of it."""
        own = {
            "target_image_id",
            "provider",
            "identifier_on_provider",
            "provider_account_identifier",
        }
        return super().metadata() | own
