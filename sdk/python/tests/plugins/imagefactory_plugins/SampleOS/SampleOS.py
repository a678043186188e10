import base64
import logging
import os
import shutil
import time

import zope.interface
from imgfac.ApplicationConfiguration import ApplicationConfiguration
from imgfac.BaseImage import BaseImage
from imgfac.ImageFactoryException import ImageFactoryException
from imgfac.OSDelegate import OSDelegate
from imgfac.PersistentImageManager import PersistentImageManager
from imgfac.ReservationManager import ReservationManager


@zope.interface.implementer(OSDelegate)
class SampleOS(object):
    """Writes text where others install systems. Its parameter `flaw` has it go wrong."""

    def __init__(self):
        self.log = logging.getLogger("%s.%s" % (__name__, self.__class__.__name__))
        self.app_config = ApplicationConfiguration().configuration
        self.res_mgr = ReservationManager()
        self.content = {"commands": [], "files": []}
        self.aborted_to = None

    def create_base_image(self, builder, template, parameters):
        self.active_image = builder.base_image
        self.aborted_to = parameters.get("aborted_to")
        if not self.res_mgr.reserve_space_for_file(1024, builder.base_image.data):
            raise ImageFactoryException("there is no space for 1024 bytes")
        self.res_mgr.enter_queue("local")
        lock = self.res_mgr.get_named_lock("sample")
        lock.acquire()
        try:
            self._create(builder, template, parameters)
        finally:
            lock.release()
            self.res_mgr.exit_queue("local")
            self.res_mgr.cancel_reservation_for_file(builder.base_image.data)

    def _create(self, builder, template, parameters):
        self.active_image.status_detail["activity"] = "Writing the system"
        self.active_image.percent_complete = 10
        flaw = parameters.get("flaw")
        if flaw == "refuse":
            raise ImageFactoryException("the installer saw no disk activity")
        if flaw == "bug":
            return {}["nothing"]
        if flaw == "exit":
            os._exit(3)
        if flaw == "hang":
            print("hanging")
            while True:
                time.sleep(60)
        if flaw == "nothing":
            return
        self.log.info("installing %s %s", template.os_name, template.os_version)
        print("printed by a tool")
        with open(builder.base_image.data, "w") as body:
            body.write("base %s %s %s\n" % (template.os_name, template.os_version, template.os_arch))
            body.write("from %s\n" % template.install_url)
            body.write("timeout %s\n" % self.app_config["timeout"])
        builder.base_image.icicle = "<icicle><packages/></icicle>"
        self.active_image.percent_complete = 100

    def add_cloud_plugin_content(self, content):
        self.content["commands"] += content["commands"]
        self.content["files"] += content["files"]

    def create_target_image(self, builder, target, base_image, parameters):
        self.active_image = builder.target_image
        found = PersistentImageManager.default_manager().image_with_id(base_image)
        if not isinstance(found, BaseImage):
            raise ImageFactoryException("there is no base image %s" % base_image)
        shutil.copyfile(found.data, builder.target_image.data)
        with open(builder.target_image.data, "a", encoding="latin-1") as body:
            for kind in ("file", "command"):
                for entry in self.content[kind + "s"]:
                    text = entry[kind]
                    if entry["type"] == "base64":
                        text = base64.b64decode(text).decode("latin-1")
                    body.write("%s %s: %s\n" % (kind, entry["name"], text))

    def abort(self):
        if self.aborted_to:
            with open(self.aborted_to, "w") as told:
                told.write("aborted")
