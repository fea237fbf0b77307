// Calls Glue with the AWS SDK for JavaScript v3: one JSON line in ({operation, input}), one out ({output} or {error}).
const readline = require("node:readline");
const glue = require("@aws-sdk/client-glue");

const client = new glue.GlueClient({
  endpoint: process.argv[2],
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  maxAttempts: 1,
});

async function call({ operation, input }) {
  try {
    const { $metadata, ...output } = await client.send(new glue[`${operation}Command`](input));
    return { output, requestId: $metadata.requestId };
  } catch (error) {
    const known = error instanceof glue.GlueServiceException;
    return { error: { name: error.name, message: error.message, status: error.$metadata?.httpStatusCode, known } };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await call(JSON.parse(line)))}\n`);
  }
})();
