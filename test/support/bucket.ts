import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';

/** A bucket of one's own on the stack's S3: what a platform stores there is not named by the platform. */
export async function makeBucket(Bucket: string): Promise<{ remove(): Promise<void> }> {
  const client = new S3Client({
    endpoint: process.env['S3_ENDPOINT'] ?? 'http://127.0.0.1:8333',
    forcePathStyle: true,
  });
  await client.send(new CreateBucketCommand({ Bucket }));
  return {
    async remove() {
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket })) {
        await Promise.all(Contents.map(({ Key }) => client.send(new DeleteObjectCommand({ Bucket, Key }))));
      }
      await client.send(new DeleteBucketCommand({ Bucket }));
      client.destroy();
    },
  };
}
