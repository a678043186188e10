import json
import os

from imgfac.CloudDelegate import CloudDelegate
from imgfac.ImageFactoryException import ImageFactoryException
from zope.interface import implementer


@implementer(CloudDelegate)
class SampleCloud(object):
    """Brings images to providers that are folders. What it remembers between its methods it writes into the image."""

    def __init__(self):
        self.steps = []

    def builder_should_create_target_image(self, builder, target, image_id, template, parameters):
        self.steps.append("should %s" % template.name)
        if target == "sample-made":
            with open(builder.base_image.data) as base:
                with open(builder.target_image.data, "w") as body:
                    body.write("made at once of " + base.read())
        return target == "sample"

    def builder_will_create_target_image(self, builder, target, image_id, template, parameters):
        self.steps.append("will")
        if parameters.get("forbidden"):
            raise ImageFactoryException("not with forbidden parameters")
        content = {
            "commands": [{"name": "greet", "type": "raw", "command": "echo hello"}],
            "files": [{"name": "/etc/raw", "type": "base64", "file": "/w=="}],
        }
        builder.os_plugin.add_cloud_plugin_content(content)

    def builder_did_create_target_image(self, builder, target, image_id, template, parameters):
        self.steps.append("did")
        builder.target_image.update(percentage=50, status="BUILDING", detail="Converting")
        with open(builder.target_image.data, errors="replace") as body:
            text = body.read()
        # Converted into another file, which takes the place of the first, as most do.
        converted = builder.target_image.data + ".tmp"
        with open(converted, "w") as body:
            body.write("%s for %s\n%s" % (", ".join(self.steps), target, text))
        os.rename(converted, builder.target_image.data)
        builder.target_image.properties["steps"] = len(self.steps)

    def push_image_to_provider(self, builder, provider, credentials, target, target_image, parameters):
        where = json.loads(provider)["folder"]
        if credentials != "<provider_credentials/>":
            raise ImageFactoryException("the provider does not know you")
        name = "%s-%s" % (target, parameters.get("name", "image"))
        with open(builder.target_image.data, "rb") as body:
            with open(os.path.join(where, name), "wb") as remote:
                remote.write(body.read())
        builder.provider_image.identifier_on_provider = name
        builder.provider_image.provider_account_identifier = "account"
        builder.provider_image.percent_complete = 100

    def snapshot_image_on_provider(self, builder, provider, credentials, template, parameters):
        builder.provider_image.identifier_on_provider = "snapshot-of-%s" % template.name
        builder.provider_image.provider_account_identifier = "account"

    def delete_from_provider(self, builder, provider, credentials, target, parameters):
        where = json.loads(provider)["folder"]
        name = os.path.join(where, builder.provider_image.identifier_on_provider)
        if os.path.exists(name):
            os.remove(name)
