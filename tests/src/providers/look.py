"""What boto3 sees in a bucket, as JSON: objects with size, digest and metadata, and unfinished uploads.

    look.py PORT ACCESS_KEY SECRET_KEY BUCKET
"""

import hashlib
import json
import sys

import boto3

port, access, secret, bucket = sys.argv[1:5]
client = boto3.client(
    "s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1",
    aws_access_key_id=access, aws_secret_access_key=secret,
)
objects = {}
for entry in client.list_objects_v2(Bucket=bucket).get("Contents", []):
    got = client.get_object(Bucket=bucket, Key=entry["Key"])
    digest = hashlib.sha256(got["Body"].read()).hexdigest()
    objects[entry["Key"]] = {"sha256": digest, "etag": got["ETag"].strip('"'), "metadata": got["Metadata"]}
uploads = client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
print(json.dumps({"objects": objects, "uploads": [upload["Key"] for upload in uploads]}))
