// The version that scores a product's parts is changed, once a person has said so.

import { ofProduct, send } from "./api";
import { confirmed } from "./page";

export async function activate(product: string, version: string): Promise<void> {
  if (await confirmed(`${version} scores the parts of ${product} from now on.`, `Activate ${version}`))
    await send("POST", `${ofProduct(product)}/versions/${version}/activate`);
}
