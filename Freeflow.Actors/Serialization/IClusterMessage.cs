namespace Freeflow.Actors.Serialization;

/// <summary>Marks what one router's actors say to another's; nothing else crosses between them in our own format.</summary>
public interface IClusterMessage;
