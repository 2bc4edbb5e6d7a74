/** What a user can ask to compute on; `auto` takes the best that the machine has. */
export const GPU_CHOICES = ["auto", "off", "cuda", "vulkan", "metal"] as const;
export type GpuChoice = (typeof GPU_CHOICES)[number];
