/** What is used of a library that comes without types. */
declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  interface Sent {
    headers: Record<string, string>;
  }
  interface Options {
    spec: object;
    domNode: HTMLElement;
    deepLinking: boolean;
    docExpansion: "none" | "list" | "full";
    filter: boolean;
    validatorUrl: null;
    requestInterceptor: (request: Sent) => Sent;
  }
  export default function SwaggerUI(options: Options): void;
}
